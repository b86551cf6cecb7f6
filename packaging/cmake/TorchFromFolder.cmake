# SPDX-License-Identifier: GPL-3.0-or-later
# LibTorch from a folder with include/ and lib/: an unpacked LibTorch, or the package `torch` of a Python environment. Its own package file asks
# for the CUDA compiler and headers even where no CUDA source is compiled; this program has none, so libraries and headers are taken as they are.
set(CAROUSEL_TORCH_FOLDER "" CACHE PATH "Folder of a LibTorch 2.x (include/, lib/), instead of the LibTorch that CMake finds")
option(CAROUSEL_TORCH_CUDA "With CAROUSEL_TORCH_FOLDER: link its CUDA library where it has one" ON)
if(CAROUSEL_TORCH_FOLDER)
  foreach(needed include/ATen/ATen.h lib/libtorch_cpu.so lib/libc10.so)
    if(NOT EXISTS ${CAROUSEL_TORCH_FOLDER}/${needed})
      message(FATAL_ERROR "CAROUSEL_TORCH_FOLDER: ${CAROUSEL_TORCH_FOLDER}/${needed} is not there")
    endif()
  endforeach()
  # Beside its own headers such a folder has those of libraries that it carries inside (fmt, oneDNN), of other versions than the system's.
  set(own ${CMAKE_BINARY_DIR}/torch_headers)
  file(MAKE_DIRECTORY ${own})
  foreach(part ATen c10 torch caffe2)
    file(CREATE_LINK ${CAROUSEL_TORCH_FOLDER}/include/${part} ${own}/${part} SYMBOLIC)
  endforeach()
  set(TORCH_INCLUDE_DIRS ${own} ${own}/torch/csrc/api/include)
  set(TORCH_LIBRARIES ${CAROUSEL_TORCH_FOLDER}/lib/libtorch_cpu.so ${CAROUSEL_TORCH_FOLDER}/lib/libc10.so)
  if(CAROUSEL_TORCH_CUDA AND EXISTS ${CAROUSEL_TORCH_FOLDER}/lib/libtorch_cuda.so)
    # Nothing calls into it by name: it registers itself when it is loaded.
    list(APPEND TORCH_LIBRARIES -Wl,--no-as-needed ${CAROUSEL_TORCH_FOLDER}/lib/libtorch_cuda.so ${CAROUSEL_TORCH_FOLDER}/lib/libc10_cuda.so -Wl,--as-needed)
  endif()
  # The linker looks into the libraries' own dependencies, which lie beside them or in packages of their own: the loader finds those.
  list(APPEND TORCH_LIBRARIES -Wl,--allow-shlib-undefined)
  message(STATUS "LibTorch from ${CAROUSEL_TORCH_FOLDER}")
endif()
