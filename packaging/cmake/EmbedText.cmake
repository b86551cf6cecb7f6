# SPDX-License-Identifier: GPL-3.0-or-later
# cmake -DINPUT=file -DOUTPUT=file.cpp -DNAME=variable -P EmbedText.cmake: a text file as `extern const char* const NAME` in namespace carousel.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "// Made from a resource file by EmbedText.cmake.\nnamespace carousel {\nextern const char* const ${NAME};\nconst char* const ${NAME} = R\"embedded(${text})embedded\";\n} // namespace carousel\n")
