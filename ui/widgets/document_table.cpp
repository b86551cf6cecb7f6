// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/document_table.h"
#include "base/text.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QPainter>
#include <QScrollBar>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel::ui {

namespace {
constexpr int lineHeight = 26, noteHeight = 16, mostRows = 40, cellPadding = 18;

// "1,234", "-0.031", "12.5 %", "31 h": what the text says first as a number, else nothing.
std::optional<double> leadingNumber(const std::string& text) {
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.compare(i, 3, "\xE2\x88\x92") == 0) { // the minus sign that people print
            digits += '-';
            i += 2;
        } else if (text[i] != ',') {
            digits += text[i];
        }
    }
    const auto end = digits.find_first_of(" %[");
    return parseNumber(digits.substr(digits.empty() || digits[0] != '+' ? 0 : 1, end == std::string::npos ? end : end - (digits[0] == '+')));
}

// A column of sentences keeps room for a few words in a line; the table scrolls sideways rather than growing into a tower.
int floorOf(int wished) { return std::min(wished, std::clamp(wished / 4, 150, 260)); }

QString cellText(const ReportCell& cell) { return qs(cell.interval.empty() ? cell.text : cell.text + "  " + cell.interval); }
} // namespace

QVariant DocumentTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const auto row = static_cast<std::size_t>(index.row()), column = static_cast<std::size_t>(index.column());
    if (column >= m_table.rows[row].size())
        return {};
    const ReportCell& cell = m_table.rows[row][column];
    const bool numeric = m_table.columns[column].numeric;
    const Palette& c = Theme::instance().colours();
    switch (role) {
    case Qt::DisplayRole: return cellText(cell);
    case NoteRole: return qs(cell.note);
    case SortRole:
        if (const auto number = numeric ? leadingNumber(cell.text) : std::nullopt)
            return *number;
        return numeric ? QVariant(-HUGE_VAL) : QVariant(qs(cell.text));
    case Qt::ToolTipRole: {
        const QString words = cell.note.empty() ? cellText(cell) : cellText(cell) + QLatin1Char('\n') + qs(cell.note);
        return words.size() > 24 ? plainToolTip(words) : QVariant();
    }
    case Qt::TextAlignmentRole: return QVariant::fromValue(Qt::Alignment((numeric ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    case Qt::DecorationRole: return cell.colour >= 0 ? QVariant(Theme::instance().strategyIcon(cell.colour)) : QVariant();
    case Qt::ForegroundRole:
        switch (cell.tone) {
        case ReportCell::Tone::good: return QBrush(c.good);
        case ReportCell::Tone::bad: return QBrush(c.bad);
        case ReportCell::Tone::muted: return QBrush(c.secondary);
        case ReportCell::Tone::plain: return {};
        }
        return {};
    default: return {};
    }
}

QVariant DocumentTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount())
        return {};
    const auto& column = m_table.columns[static_cast<std::size_t>(section)];
    if (role == Qt::DisplayRole)
        return qs(column.title);
    if (role == Qt::ToolTipRole)
        return column.help.empty() ? QVariant() : plainToolTip(qs(column.help));
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((column.numeric ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

void DocumentCellDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QString note = index.data(DocumentTableModel::NoteRole).toString();
    if (note.isEmpty())
        return FigureDelegate::paint(painter, option, index);
    QStyleOptionViewItem item = option;
    initStyleOption(&item, index);
    item.text.clear();
    item.icon = {};
    const QStyle* style = item.widget ? item.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
    QStyleOptionViewItem upper = option;
    upper.rect.setBottom(option.rect.bottom() - noteHeight);
    FigureDelegate::paint(painter, upper, index);
    painter->save();
    painter->setFont(Theme::instance().caption());
    painter->setPen(Theme::instance().colours().secondary);
    const QRect lower(option.rect.left() + 8, option.rect.bottom() - noteHeight - 4, option.rect.width() - 16, noteHeight);
    painter->drawText(lower, (item.displayAlignment & Qt::AlignHorizontal_Mask) | Qt::AlignVCenter,
                      painter->fontMetrics().elidedText(note, Qt::ElideRight, lower.width()));
    painter->restore();
}

DocumentTable::DocumentTable(const ReportTable& table, QWidget* parent) : QWidget(parent), m_table(table) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    auto* head = new QHBoxLayout;
    const QString caption = table.caption.empty() ? tr("Table") : qs(table.caption);
    head->addWidget(textLabel(caption, "heading", true), 1);
    auto* copy = new QToolButton;
    copy->setIcon(Theme::icon(QStringLiteral("edit-copy")));
    copy->setIconSize({16, 16});
    copy->setAccessibleName(tr("Copy table: %1").arg(caption));
    copy->setToolTip(tr("Copy the whole table, ready for a spreadsheet (Ctrl+C copies the selected rows)"));
    connect(copy, &QToolButton::clicked, this, [this] { QApplication::clipboard()->setText(toTsv()); });
    head->addWidget(copy, 0, Qt::AlignTop);
    column->addLayout(head);

    m_view = new QTableView;
    setUpTable(m_view, caption);
    m_view->setItemDelegate(new DocumentCellDelegate(m_view));
    m_view->setWordWrap(true);
    m_view->setVerticalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    m_proxy = new QSortFilterProxyModel(this);
    m_proxy->setSourceModel(new DocumentTableModel(table, m_proxy));
    m_proxy->setSortRole(DocumentTableModel::SortRole);
    m_proxy->setSortCaseSensitivity(Qt::CaseInsensitive);
    m_view->setModel(m_proxy);
    m_view->horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    m_view->setSortingEnabled(true);
    m_view->horizontalHeader()->setStretchLastSection(true);
    m_view->viewport()->installEventFilter(this);
    m_view->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(m_view, &QTableView::customContextMenuRequested, this, &DocumentTable::openMenu);
    for (const int key : {Qt::Key_Return, Qt::Key_Enter}) {
        auto* enter = new QShortcut(QKeySequence(key), m_view, nullptr, nullptr, Qt::WidgetShortcut);
        connect(enter, &QShortcut::activated, this, [this] { wantOrigin(m_view->currentIndex()); });
    }
    connect(m_view, &QTableView::doubleClicked, this, &DocumentTable::wantOrigin);
    column->addWidget(m_view);
    if (!table.note.empty())
        column->addWidget(textLabel(qs(table.note), "caption", true));

    const QFontMetrics metrics(Theme::instance().body()), small(Theme::instance().caption());
    QFont bold = Theme::instance().strong();
    for (int c = 0; c < m_proxy->columnCount(); ++c) {
        int width = QFontMetrics(bold).horizontalAdvance(m_proxy->headerData(c, Qt::Horizontal).toString()) + 34;
        for (int r = 0; r < m_proxy->rowCount(); ++r) {
            const auto index = m_proxy->index(r, c);
            const int icon = index.data(Qt::DecorationRole).isValid() ? 24 : 0;
            width = std::max({width, metrics.horizontalAdvance(index.data().toString()) + cellPadding + 6 + icon,
                              small.horizontalAdvance(index.data(DocumentTableModel::NoteRole).toString()) + cellPadding});
        }
        m_wished.push_back(std::max(width, 56));
    }
    connect(m_proxy, &QAbstractItemModel::layoutChanged, this, &DocumentTable::fit);
    fit();
}

QString DocumentTable::toTsv() const {
    QString out;
    const auto clean = [](QString text) { return text.replace(QLatin1Char('\t'), QLatin1Char(' ')).replace(QLatin1Char('\n'), QLatin1Char(' ')); };
    for (int r = -1; r < m_proxy->rowCount(); ++r) {
        QStringList cells;
        for (int c = 0; c < m_proxy->columnCount(); ++c)
            cells << clean(r < 0 ? m_proxy->headerData(c, Qt::Horizontal).toString() : m_proxy->index(r, c).data().toString());
        out += cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
    }
    return out;
}

void DocumentTable::wantOrigin(const QModelIndex& shown) {
    if (const QModelIndex index = m_proxy->mapToSource(shown); index.isValid())
        Q_EMIT originWanted(index.row(), index.column());
}

void DocumentTable::openMenu(const QPoint& at) {
    const QModelIndex pointed = m_view->indexAt(at), index = pointed.isValid() ? pointed : m_view->currentIndex();
    if (!index.isValid())
        return;
    m_view->setCurrentIndex(index);
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QPersistentModelIndex kept(index);
    menu->addAction(tr("Where does this come from?\tEnter"), this, [this, kept] { wantOrigin(kept); });
    menu->addAction(Theme::icon(QStringLiteral("edit-copy")), tr("Copy rows\tCtrl+C"), this, [this] { QApplication::clipboard()->setText(selectedAsTsv(m_view)); });
    menu->popup(m_view->viewport()->mapToGlobal(at));
}

bool DocumentTable::eventFilter(QObject* object, QEvent* event) {
    if (event->type() == QEvent::Resize)
        QMetaObject::invokeMethod(this, &DocumentTable::fit, Qt::QueuedConnection); // once the view has its new width
    return QWidget::eventFilter(object, event);
}

// Columns as wide as they wish while there is room; what is missing is taken from the columns of words, which then break their lines.
void DocumentTable::fit() {
    const int columns = m_proxy->columnCount(), rows = m_proxy->rowCount();
    std::vector<int> width = m_wished;
    const int room = std::max(m_view->viewport()->width(), 200);
    for (int pass = 0; pass < 200; ++pass) {
        const int over = std::accumulate(width.begin(), width.end(), 0) - room;
        if (over <= 0)
            break;
        int widest = -1, most = 0;
        for (int c = 0; c < columns; ++c) {
            const int spare = width[static_cast<std::size_t>(c)] - floorOf(m_wished[static_cast<std::size_t>(c)]);
            if (!(m_proxy->index(0, c).data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight) && spare > most) {
                widest = c;
                most = spare;
            }
        }
        if (widest < 0)
            break;
        width[static_cast<std::size_t>(widest)] -= std::min(most, std::clamp(over, 8, 40));
    }
    for (int c = 0; c < columns; ++c)
        m_view->setColumnWidth(c, width[static_cast<std::size_t>(c)]);
    const QFontMetrics metrics(Theme::instance().body());
    int height = 0;
    for (int r = 0; r < rows; ++r) {
        int tall = lineHeight;
        for (int c = 0; c < columns; ++c) {
            const auto index = m_proxy->index(r, c);
            const int icon = index.data(Qt::DecorationRole).isValid() ? 24 : 0, inside = m_view->columnWidth(c) - cellPadding - icon;
            const QString text = index.data().toString();
            int wanted = lineHeight;
            if (metrics.horizontalAdvance(text) > inside && inside > 40 && !(index.data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight))
                wanted = metrics.boundingRect(QRect(0, 0, inside, 10000), Qt::TextWordWrap, text).height() + 10;
            if (!index.data(DocumentTableModel::NoteRole).toString().isEmpty())
                wanted += noteHeight;
            tall = std::max(tall, wanted);
        }
        m_view->setRowHeight(r, tall);
        height += r < mostRows ? tall : 0;
    }
    const bool wide = m_view->horizontalHeader()->length() > m_view->viewport()->width();
    const int header = m_view->horizontalHeader()->sizeHint().height();
    const int total = header + height + 2 + (wide ? m_view->horizontalScrollBar()->sizeHint().height() : 0);
    if (m_view->height() != total || m_view->minimumHeight() != total)
        m_view->setFixedHeight(total);
}

} // namespace carousel::ui
