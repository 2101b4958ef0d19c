# Compiler settings that every target shares.
get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT CMAKE_BUILD_TYPE AND NOT multi_config)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# -ffp-contract=off: the compiler must not fuse a*b+c by itself, or an element's bits would depend on
# which of two code paths (vector body or tail) computed it. Kernels ask for fma where they want it.
add_compile_options(-Wall -Wextra -Wno-missing-field-initializers -ffp-contract=off -ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=x86-64-v2)
endif()

# HEARTH_SANITIZE takes what -fsanitize takes. "fuzzer" in it (clang only) instruments every file for coverage;
# only the programs under tests/fuzz get the fuzzer's own main.
if(HEARTH_SANITIZE)
  string(REGEX REPLACE "(^|,)fuzzer(,|$)" "\\1fuzzer-no-link\\2" sanitizers "${HEARTH_SANITIZE}")
  if(sanitizers MATCHES "fuzzer" AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "HEARTH_SANITIZE=${HEARTH_SANITIZE}: fuzzer needs clang, the compiler is ${CMAKE_CXX_COMPILER_ID}")
  endif()
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${sanitizers})
  if(HEARTH_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# The command runs on machines that lack this compiler's C++ library. Its symbols stay private to the command:
# libdnnl.so brings the shared one, and the two must not mix.
function(hearth_portable_program target)
  if(NOT HEARTH_SANITIZE)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL
                        $<$<CONFIG:Release>:-s>)
  endif()
endfunction()
