// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/command_palette.h"
#include "base/text.h"
#include "session/study_draft.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int mostShown = 60;
constexpr std::size_t mostItems = 12;
constexpr int paletteWidth = 620;

class EntryDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {200, 30}; }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const auto& c = Theme::instance().colours();
        const auto& entry = static_cast<const PaletteModel*>(index.model())->entry(index.row());
        painter->save();
        if (option.state & QStyle::State_Selected)
            painter->fillRect(option.rect, c.accentSoft);
        const QRect room = option.rect.adjusted(12, 0, -12, 0);
        painter->setFont(Theme::instance().caption());
        painter->setPen(c.secondary);
        painter->drawText(QRect(room.left(), room.top(), 56, room.height()), Qt::AlignVCenter, entry.kind);
        const int right = entry.shortcut.isEmpty() ? 0 : painter->fontMetrics().horizontalAdvance(entry.shortcut) + 12;
        painter->drawText(room, Qt::AlignVCenter | Qt::AlignRight, entry.shortcut);
        painter->setFont(Theme::instance().body());
        painter->setPen(c.text);
        QRect words = room.adjusted(60, 0, -right, 0);
        const QString text = painter->fontMetrics().elidedText(entry.text, Qt::ElideRight, words.width());
        painter->drawText(words, Qt::AlignVCenter, text);
        words.setLeft(words.left() + painter->fontMetrics().horizontalAdvance(text) + 12);
        painter->setPen(c.secondary);
        painter->drawText(words, Qt::AlignVCenter, painter->fontMetrics().elidedText(entry.detail, Qt::ElideRight, std::max(0, words.width())));
        painter->restore();
    }
};
} // namespace

int matchScore(const QString& query, const QString& text) {
    int score = 0;
    for (const auto& word : query.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        const auto at = text.indexOf(word, 0, Qt::CaseInsensitive);
        if (at < 0)
            return -1;
        score += at == 0 ? 30 : !text[at - 1].isLetterOrNumber() ? 20 : 5;
    }
    return score;
}

void PaletteModel::setEntries(QList<PaletteEntry> entries) {
    beginResetModel();
    m_entries = std::move(entries);
    endResetModel();
}

QVariant PaletteModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const auto& entry = m_entries[index.row()];
    if (role == Qt::DisplayRole)
        return entry.text;
    if (role == Qt::AccessibleTextRole)
        return QStringLiteral("%1: %2 %3 %4").arg(entry.kind, entry.text, entry.detail, entry.shortcut);
    return {};
}

CommandPalette::CommandPalette(Session& session, QWidget* window) : QFrame(window), m_session(session) {
    setProperty("card", QStringLiteral("true"));
    setAccessibleName(tr("Search"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 8, 8, 8);
    m_edit = new QLineEdit;
    m_edit->setPlaceholderText(tr("Search actions, pages, runs, items…"));
    m_edit->setAccessibleName(tr("Search actions, pages, runs, items"));
    m_edit->setClearButtonEnabled(true);
    m_list = new QListView;
    m_list->setAccessibleName(tr("Matches"));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setUniformItemSizes(true);
    m_list->setItemDelegate(new EntryDelegate(m_list));
    m_list->setFocusPolicy(Qt::NoFocus);
    m_model = new PaletteModel(this);
    m_list->setModel(m_model);
    column->addWidget(m_edit);
    column->addWidget(m_list);
    hide();
    m_edit->installEventFilter(this);
    connect(m_edit, &QLineEdit::textChanged, this, [this] {
        m_items.clear();
        filter();
        searchItems(m_edit->text());
    });
    connect(m_list, &QListView::clicked, this, &CommandPalette::run);
}

void CommandPalette::open(QList<PaletteEntry> entries) {
    m_all = std::move(entries);
    m_items.clear();
    m_edit->clear();
    filter();
    const int width = std::min(paletteWidth, parentWidget()->width() - 80);
    setGeometry((parentWidget()->width() - width) / 2, 48, width, std::min(440, parentWidget()->height() - 120));
    show();
    raise();
    m_edit->setFocus();
}

void CommandPalette::filter() {
    const QString query = m_edit->text();
    QList<std::pair<int, int>> ranked;
    for (int i = 0; i < m_all.size(); ++i)
        if (const int score = matchScore(query, m_all[i].text + QLatin1Char(' ') + m_all[i].detail + QLatin1Char(' ') + m_all[i].kind); score >= 0)
            ranked << std::pair{-score, i};
    std::stable_sort(ranked.begin(), ranked.end());
    QList<PaletteEntry> shown;
    for (const auto& [score, i] : ranked) {
        if (shown.size() >= mostShown)
            break;
        shown << m_all[i];
    }
    shown << m_items;
    if (shown.isEmpty())
        shown << PaletteEntry{{}, tr("Nothing is called “%1”").arg(query.trimmed()), tr("Pages, actions, runs and items of the study's data are searched."), {}, {}};
    m_model->setEntries(std::move(shown));
    m_list->setCurrentIndex(m_model->index(0));
}

void CommandPalette::searchItems(const QString& query) {
    const QString dataset = qs(m_session.draft().study().dataset);
    if (query.trimmed().size() < 2 || !m_session.hasProject() || dataset.isEmpty())
        return;
    m_session.jobs().run<std::vector<std::string>>(
        this, {tr("Searching items"), Lane::quick, QStringLiteral("palette")},
        [session = &m_session, dataset = ss(dataset), needle = lowered(ss(query.trimmed()))](const RunControl& control) -> Result<std::vector<std::string>> {
            CAROUSEL_ASSIGN(const auto loaded, session->workbench().dataset(dataset, control));
            std::vector<std::string> found;
            for (std::size_t item = 0; item < loaded->items.size() && found.size() < mostItems; ++item) {
                if (item % 4096 == 0 && control.stopRequested())
                    break;
                const auto title = loaded->items.displayName(static_cast<Code>(item));
                if (lowered(title).find(needle) != std::string::npos)
                    found.push_back(title);
            }
            return found;
        },
        [this](JobRunner::Shared<std::vector<std::string>> result) {
            if (!result || !isVisible())
                return;
            m_items.clear();
            for (const auto& title : **result)
                m_items << PaletteEntry{tr("item"), qs(title), {}, {}, [this, title] {
                                            m_session.goTo(QStringLiteral("data"));
                                            Q_EMIT m_session.showItemWanted(qs(title));
                                        }};
            filter();
        });
}

void CommandPalette::run() {
    const auto index = m_list->currentIndex();
    if (!index.isValid())
        return;
    const auto entry = m_model->entry(index.row()); // a copy: the call may change the list
    hide();
    if (entry.call)
        entry.call();
}

bool CommandPalette::eventFilter(QObject* object, QEvent* event) {
    if (object != m_edit)
        return QFrame::eventFilter(object, event);
    if (event->type() == QEvent::FocusOut && static_cast<QFocusEvent*>(event)->reason() != Qt::PopupFocusReason)
        hide();
    if (event->type() == QEvent::ShortcutOverride) { // Esc closes this, and does not cancel the task behind it
        event->accept();
        return true;
    }
    if (event->type() != QEvent::KeyPress)
        return QFrame::eventFilter(object, event);
    auto* key = static_cast<QKeyEvent*>(event);
    const int row = m_list->currentIndex().row();
    switch (key->key()) {
    case Qt::Key_Escape: hide(); return true;
    case Qt::Key_Return:
    case Qt::Key_Enter: run(); return true;
    case Qt::Key_Down: m_list->setCurrentIndex(m_model->index(std::min(row + 1, m_model->rowCount() - 1))); return true;
    case Qt::Key_Up: m_list->setCurrentIndex(m_model->index(std::max(row - 1, 0))); return true;
    default: return QFrame::eventFilter(object, event);
    }
}

} // namespace carousel::ui
