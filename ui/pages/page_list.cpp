// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/page_list.h"
#include "pages/carousel_page.h"
#include "pages/data_page.h"
#include "pages/experiments_page.h"
#include "pages/home_page.h"
#include "pages/metrics_page.h"
#include "pages/models_page.h"
#include "pages/report_page.h"
#include "pages/runs_page.h"
#include "pages/strategies_page.h"
#include "pages/tasks_page.h"

namespace carousel::ui {

std::vector<Page*> makePages(Session& session) {
    return {new HomePage(session),     new DataPage(session),    new StrategiesPage(session),  new RunsPage(session),
            new CarouselPage(session), new MetricsPage(session), new ExperimentsPage(session), new TasksPage(session),
            new ReportPage(session),   new ModelsPage(session)};
}

} // namespace carousel::ui
