# Every flag of our own code, on one target.  Generated code and foreign headers do not get them.
option(TRAWL_WERROR "Warnings are errors (CI)" OFF)
option(TRAWL_TESTS "Build the tests" ON)
option(TRAWL_FUZZ "Build the libFuzzer targets (clang)" OFF)
set(SANITIZE "" CACHE STRING "Sanitizers: \"address,undefined\", \"thread\" or empty")

add_library(project_flags INTERFACE)
target_compile_options(project_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wvla -Walloca -Wswitch-enum -Wmissing-prototypes
  -Wstrict-prototypes -Wcast-qual -Wformat=2 -Wundef -fno-common -fno-strict-aliasing
  -include ${PROJECT_SOURCE_DIR}/common/base/banned.h)
if(TRAWL_WERROR)
  target_compile_options(project_flags INTERFACE -Werror)
endif()
target_compile_definitions(project_flags INTERFACE _GNU_SOURCE TRAWL_VERSION="${PROJECT_VERSION}")

# Hardening and sanitizers concern the whole program, foreign and generated code included.
add_compile_options(-fPIE -fstack-protector-strong)
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
if(SANITIZE)
  add_link_options(-no-pie) # the tests start these programs thousands of times; a start so has a quarter fewer page faults
  add_compile_options(-fsanitize=${SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SANITIZE})
  target_compile_definitions(project_flags INTERFACE TRAWL_SANITIZED=1)
else()
  add_link_options(-pie)
  add_compile_options($<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
endif()
if(TRAWL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
# assert() stays on in every build: it guards against bugs, never against input.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
