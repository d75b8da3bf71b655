/* The parts of a flame graph's SVG that are always the same. */
#pragma once

const char *flame_script_style(void); /* a style element */
/* A script element: a click on a frame zooms to it, Reset zooms out, Search (or Ctrl-F) marks frames and says their share. */
const char *flame_script_code(void);
