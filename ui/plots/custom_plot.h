// SPDX-License-Identifier: GPL-3.0-or-later
// QCustomPlot's header is written with Qt's short keywords, which the project switches off; they live only as long as this include.
#pragma once
#include <QtGlobal>
#define signals Q_SIGNALS
#define slots Q_SLOTS
#define foreach Q_FOREACH
#include <qcustomplot.h>
#undef signals
#undef slots
#undef foreach
