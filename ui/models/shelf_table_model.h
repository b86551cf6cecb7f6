// SPDX-License-Identifier: GPL-3.0-or-later
// The model shelf as a table: state, size, licence, hash, format, context, memory before loading, speed measured here, and the reason when a
// model cannot be used.
#pragma once
#include "llm/model_memory.h"
#include "llm/model_shelf.h"
#include <QAbstractTableModel>
#include <vector>

namespace carousel::ui {

QString modelStateText(const ModelStatus& status); // a shape and a word
QString sizeText(std::int64_t bytes);              // "98.4 MB"; an en dash for none
QString speedText(const SpeedRecord& record);      // "31.2 cand/s bf16"

class ShelfTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { State, Name, Use, Size, Format, Context, Memory, Speed, Licence, Hash, About, ColumnCount };
    enum Role { SortRole = Qt::UserRole + 1, IdRole };

    explicit ShelfTableModel(QObject* parent = nullptr);
    void setModels(std::vector<ModelStatus> models);   // rows whose models stay keep their place, so that selections do too
    // What memory and speed are shown for; `automatic`: what "auto" comes to for decoders here.
    void setComputeType(const std::string& type, const AutomaticTypes& automatic);
    const ModelStatus* at(int row) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<ModelStatus> m_models;
    std::string wantedType(const ModelCard& card) const;
    std::string m_type = "auto", m_processor;
    AutomaticTypes m_automatic;
};

} // namespace carousel::ui
