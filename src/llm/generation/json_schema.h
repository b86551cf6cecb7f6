// SPDX-License-Identifier: GPL-3.0-or-later
// A JSON schema as a grammar, so that an embedded model answers in the form that servers know as "structured output".
#pragma once
#include "base/result.h"
#include <string>
#include <string_view>

namespace carousel {

// GBNF text for Grammar::parse. Known: type (object, array, string, integer, number, boolean, null; or a list of these), properties,
// required, items, minItems, maxItems, minLength, maxLength, enum, const, anyOf, oneOf, $ref to "#/$defs/NAME" or "#/definitions/NAME".
// Objects have exactly their properties, in the order given; those that are not required may be left out. title, description, default,
// examples, additionalProperties, $schema and $id change nothing. Between the parts stands what compact JSON with a blank after ',' and ':'
// has. CL-2165: the schema is no JSON, or has a keyword that would change what is valid and is not known; the place is named.
Result<std::string> grammarOfJsonSchema(std::string_view schema);

} // namespace carousel
