// SPDX-License-Identifier: GPL-3.0-or-later
// The five states of a page or panel: empty (what to do), loading, failed (what, why, what to do), and ready, with an optional partial
// line above the ready content.
#pragma once
#include "base/result.h"
#include <QWidget>
#include <functional>

class QLabel;
class QPushButton;
class QStackedWidget;

namespace carousel::ui {

struct EmptyAction {
    QString text;
    std::function<void()> call;
};

class StateView : public QWidget {
    Q_OBJECT
public:
    enum class State { empty, loading, failed, ready };

    explicit StateView(QWidget* content, QWidget* parent = nullptr);
    void showEmpty(const QString& icon, const QString& heading, const QString& sentence, const EmptyAction& action = {}, const EmptyAction& second = {});
    void showLoading(const QString& what);
    void showFailed(const Error& error, const EmptyAction& retry = {});
    void showReady();
    void setPartial(const QString& text); // empty: whole
    State state() const;

private:
    void setAction(QPushButton* button, const EmptyAction& action);
    QStackedWidget* m_stack;
    QLabel *m_emptyIcon, *m_emptyHeading, *m_emptySentence, *m_loading, *m_failedMessage, *m_failedHint, *m_partial;
    QPushButton *m_first, *m_second, *m_retry;
    QWidget* m_partialBar;
    std::function<void()> m_firstCall, m_secondCall, m_retryCall;
};

} // namespace carousel::ui
