// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/shelf_table_model.h"
#include "base/machine.h"
#include "llm/measure_model.h"
#include "llm/model_memory.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <algorithm>

namespace carousel::ui {

namespace {
bool isRight(int column) {
    return column == ShelfTableModel::Size || column == ShelfTableModel::Context || column == ShelfTableModel::Memory || column == ShelfTableModel::Speed;
}
const QString none = QStringLiteral("–");

QString useText(const ModelCard& card) {
    if (card.canChat)
        return card.chat == "plain text" || card.architecture == "t5" ? QObject::tr("text") : QObject::tr("chat");
    return card.canEmbed ? QObject::tr("embed") : none;
}
QString formatText(const ModelCard& card) {
    if (card.format.empty())
        return none;
    return QStringLiteral("%1 %2").arg(card.format == "gguf" ? QStringLiteral("GGUF") : qs(card.format), qs(card.quantisation)).trimmed();
}
} // namespace

QString modelStateText(const ModelStatus& status) {
    switch (status.state) {
    case ModelState::ready: return QObject::tr("● ready");
    case ModelState::missing: return QObject::tr("▲ missing");
    case ModelState::wrongSize: return QObject::tr("■ wrong size");
    case ModelState::wrongHash: return QObject::tr("■ wrong hash");
    case ModelState::refused: return QObject::tr("■ refused");
    case ModelState::notAdded: return QObject::tr("○ not added");
    }
    return {};
}

QString sizeText(std::int64_t bytes) {
    if (bytes <= 0)
        return none;
    const double mega = static_cast<double>(bytes) / 1e6;
    if (mega < 1)
        return QStringLiteral("%1 kB").arg(figures(1000 * mega));
    return mega < 1000 ? QStringLiteral("%1 MB").arg(figures(mega)) : QStringLiteral("%1 GB").arg(figures(mega / 1000));
}

QString speedText(const SpeedRecord& record) {
    return record.candidatesPerSecond > 0 ? QObject::tr("%1 cand/s %2").arg(figures(record.candidatesPerSecond), qs(record.computeType))
                                          : QObject::tr("%1 texts/s %2").arg(figures(record.textsPerSecond), qs(record.computeType));
}

ShelfTableModel::ShelfTableModel(QObject* parent) : QAbstractTableModel(parent), m_processor(processorName()) {
    connect(&Theme::instance(), &Theme::changed, this, [this] {
        if (!m_models.empty())
            Q_EMIT dataChanged(index(0, State), index(rowCount() - 1, State), {Qt::ForegroundRole});
    });
}

void ShelfTableModel::setModels(std::vector<ModelStatus> models) {
    const bool same = models.size() == m_models.size() &&
                      std::equal(models.begin(), models.end(), m_models.begin(), [](const auto& a, const auto& b) { return a.model.id == b.model.id; });
    if (same) {
        m_models = std::move(models);
        if (!m_models.empty())
            Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
        return;
    }
    beginResetModel();
    m_models = std::move(models);
    endResetModel();
}

void ShelfTableModel::setComputeType(const std::string& type, const AutomaticTypes& automatic) {
    m_type = type;
    m_automatic = automatic;
    if (!m_models.empty())
        Q_EMIT dataChanged(index(0, Memory), index(rowCount() - 1, Speed));
}

std::string ShelfTableModel::wantedType(const ModelCard& card) const { return computesIn(card, m_type, m_automatic); }

const ModelStatus* ShelfTableModel::at(int row) const {
    return row >= 0 && row < rowCount() ? &m_models[static_cast<std::size_t>(row)] : nullptr;
}

int ShelfTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_models.size()); }
int ShelfTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant ShelfTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const ModelStatus& status = m_models[static_cast<std::size_t>(index.row())];
    const ModelCard& card = status.model;
    const bool sized = card.dimensions.parameters > 0;
    const SpeedRecord* const speed = speedOn(status.speeds, m_processor, wantedType(card));
    if (role == IdRole)
        return qs(card.id);
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((isRight(index.column()) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role == Qt::ForegroundRole && index.column() == State) {
        const auto& colours = Theme::instance().colours();
        return status.state == ModelState::ready      ? colours.good
               : status.state == ModelState::notAdded ? colours.secondary
               : status.state == ModelState::missing  ? colours.warning
                                                      : colours.bad;
    }
    if (role == Qt::ToolTipRole) {
        if ((index.column() == State || index.column() == About) && !status.detail.empty())
            return plainToolTip(qs(status.detail));
        if (index.column() == Name)
            return plainToolTip(qs(card.id));
        if (index.column() == Speed && speed) {
            const QString other = speed->computeType == wantedType(card) ? QString() : tr("\nNot measured in %1, which is chosen; this is the newest in other numbers.").arg(qs(wantedType(card)));
            return plainToolTip(tr("%1 runs, %2 to %3; %4, %5 threads, %6").arg(speed->runs).arg(figures(speed->slowest), figures(speed->fastest), qs(speed->processor)).arg(speed->threads).arg(qs(speed->date)) + other);
        }
        return {};
    }
    if (role == SortRole) {
        switch (index.column()) {
        case Size: return static_cast<qlonglong>(status.bytes());
        case Context: return static_cast<qlonglong>(card.dimensions.contextLength);
        case Memory: return static_cast<qlonglong>(sized ? memoryNeeded(card, wantedType(card), usualContextTokens).total() : 0);
        case Speed: return speed ? std::max(speed->candidatesPerSecond, speed->textsPerSecond) : -1.0;
        default: break;
        }
    }
    if (role != Qt::DisplayRole && role != SortRole)
        return {};
    switch (index.column()) {
    case State: return modelStateText(status);
    case Name: return qs(card.title.empty() ? card.id : card.title);
    case Use: return useText(card);
    case Size: return sizeText(status.bytes());
    case Format: return formatText(card);
    case Context: return sized ? count(card.dimensions.contextLength) : none;
    case Memory: return sized ? sizeText(memoryNeeded(card, wantedType(card), usualContextTokens).total()) : none;
    case Speed: return speed ? speedText(*speed) : status.state == ModelState::ready ? tr("not measured") : none;
    case Licence: return card.licence.empty() ? none : qs(card.licence);
    case Hash: return card.files.empty() ? none : qs(card.files.front().sha256.substr(0, 8));
    case About: return status.detail.empty() ? qs(card.purpose) : qs(status.detail);
    default: return {};
    }
}

QVariant ShelfTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    static const char* const names[] = {"State", "Model", "Use", "Size", "Format", "Context", "Memory", "Speed here", "Licence", "SHA-256", "About"};
    static const char* const help[] = {"Whether it can be used; the last column says why not",
                                       "Title, as its file gives it",
                                       "chat: scores candidates, answers, turns texts into vectors; text: the same without a chat form; embed: turns texts into vectors",
                                       "Of its files",
                                       "File format and the type that most weights are stored in",
                                       "Longest prompt that it takes, in tokens",
                                       "To open it and read a prompt of 1,024 tokens, in the numbers chosen in the title bar; worked out before loading",
                                       "Measured on this processor with Measure speed, in the numbers chosen in the title bar where it was measured in them; never guessed",
                                       "As the model's maker states it in the file",
                                       "First eight characters for the weights; the inspector has all",
                                       "What it is for, or why it cannot be used"};
    if (role == Qt::DisplayRole)
        return QString::fromUtf8(names[section]);
    if (role == Qt::ToolTipRole)
        return QString::fromUtf8(help[section]);
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((isRight(section) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

} // namespace carousel::ui
