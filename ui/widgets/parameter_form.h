// SPDX-License-Identifier: GPL-3.0-or-later
// A form made from ParameterSpecs: one labelled control per parameter, its help beside it, its error below it. Plugins never build widgets.
#pragma once
#include "stages/plugin.h"
#include <QWidget>
#include <functional>
#include <vector>

class QFormLayout;
class QLabel;

namespace carousel::ui {

struct FormModel { // a model of the shelf, as a form offers it
    std::string id;
    QString text;
    bool canChat = false, canEmbed = false;
    bool usable = true; // others are not offered, but known
};

struct FormContext {
    const PluginRegistry* plugins = nullptr;  // for parameters of kind plugin
    std::vector<std::string> itemFields;      // for parameters that choose among the attributes of the data set at hand
    std::vector<FormModel> models;            // for the parameter "model": those that can do what its default can; empty: the id is typed
};

class ParameterForm : public QWidget {
    Q_OBJECT
public:
    explicit ParameterForm(QWidget* parent = nullptr);
    // `owner` names the plugin in messages. Values missing in `values` show their default.
    void setParameters(const std::vector<ParameterSpec>& specs, const Parameters& values, const FormContext& context, const std::string& owner);
    // What the form says now; the error of the first parameter that is not valid.
    Result<Parameters> parameters() const;
    QWidget* control(const std::string& id) const; // nullptr when unknown
    bool isValid() const;

Q_SIGNALS:
    void edited(); // valid or not

private:
    struct Row {
        ParameterSpec spec;
        QWidget* control = nullptr;
        QLabel* message = nullptr;
        std::function<Result<ParameterValue>()> read;
    };
    void addRow(const ParameterSpec& spec, const ParameterValue& value, const FormContext& context);
    void changed();
    std::vector<Row> m_rows;
    std::string m_owner;
    QFormLayout* m_layout;
    bool m_filling = false;
};

} // namespace carousel::ui
