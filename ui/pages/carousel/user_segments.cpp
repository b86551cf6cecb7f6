// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/user_segments.h"
#include "widgets/text.h"

namespace carousel::ui {

QStringList userSegments(const Dataset& dataset) {
    QStringList fields;
    for (const auto& attribute : dataset.users.attributes)
        if (attribute.type() == FieldType::number ||
            (attribute.type() == FieldType::token && attribute.dictionary().size() >= 2 && attribute.dictionary().size() <= mostSegments))
            fields << qs(attribute.name());
    return fields;
}

} // namespace carousel::ui
