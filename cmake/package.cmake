# Three Debian packages: cmake --workflow --preset package.  They are for where the programs were configured to be (prefix /usr).
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trawl)
set(CPACK_PACKAGE_CONTACT "the trawl authors <trawl@example.invalid>")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL agent collector console)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

#   service_package(agent trawl-agent.service /var/lib/trawl/spool): scripts and conffiles of a package with a service
function(service_package component unit state)
  set(PACKAGE trawl-${component})
  set(UNIT ${unit})
  set(STATE ${state})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/debian/${component})
  foreach(script postinst prerm postrm)
    configure_file(deploy/debian/${script}.in ${folder}/${script} @ONLY FILE_PERMISSIONS
      OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endforeach()
  file(WRITE ${folder}/conffiles "/etc/trawl/${component}.conf\n")
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${folder}/postinst;${folder}/prerm;${folder}/postrm;${folder}/conffiles" PARENT_SCOPE)
endfunction()

service_package(agent trawl-agent.service /var/lib/trawl/spool)
set(CPACK_DEBIAN_AGENT_PACKAGE_NAME trawl-agent)
set(CPACK_DEBIAN_AGENT_PACKAGE_DEPENDS passwd)
set(CPACK_DEBIAN_AGENT_PACKAGE_RECOMMENDS "libbpf-tools, bpftrace")
set(CPACK_COMPONENT_AGENT_DESCRIPTION "The agent: runs stock BPF tracing tools on this host when an operator's signed order asks for it and this host's policy allows it, \
and sends what they print to the fleet's collector.")

service_package(collector trawl-collectord.service /var/lib/trawl/collector)
set(CPACK_DEBIAN_COLLECTOR_PACKAGE_NAME trawl-collector)
set(CPACK_DEBIAN_COLLECTOR_PACKAGE_DEPENDS passwd)
set(CPACK_DEBIAN_COLLECTOR_PACKAGE_SUGGESTS sqlite3)
set(CPACK_COMPONENT_COLLECTOR_DESCRIPTION "The collector: passes signed orders on to agents, stores and merges what they measure, and answers consoles.")

set(CPACK_DEBIAN_CONSOLE_PACKAGE_NAME trawl-console)
set(CPACK_DEBIAN_CONSOLE_PACKAGE_RECOMMENDS "openssl, bash-completion")
set(CPACK_COMPONENT_CONSOLE_DESCRIPTION "The console: signs orders with the operator's key, sends them to the collector, and prints one merged answer from the whole \
fleet. Also trawl-certs, which makes a fleet's certificates.")

include(CPack)
