// SPDX-License-Identifier: GPL-3.0-or-later
// A session bus and GNOME Keyring of a test's own, with every folder of theirs in a temporary one; the user's keys are out of reach. Needs no
// display, and runs as any user.
#pragma once
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>

namespace carousel {

class SecretServiceProcess {
public:
    ~SecretServiceProcess() {
        stop(m_keyring);
        stop(m_bus);
    }

    // Why none can be had here; empty: it runs, and this process and its children find it through their environment.
    QString start() {
        const QString bus = QStandardPaths::findExecutable(QStringLiteral("dbus-daemon"));
        if (bus.isEmpty() || QStandardPaths::findExecutable(QStringLiteral("gnome-keyring-daemon")).isEmpty())
            return QStringLiteral("dbus-daemon or gnome-keyring-daemon is not installed");
        for (const char* folder : {"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"}) {
            QDir().mkpath(path(folder));
            QFile::setPermissions(path(folder), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
            qputenv(folder, path(folder).toUtf8());
        }
        qunsetenv("DISPLAY");
        qunsetenv("WAYLAND_DISPLAY");
        // A configuration of its own: the machine's may start other services, and this test's keyring is started by hand.
        QFile config(m_folder.filePath(QStringLiteral("bus.conf")));
        if (!config.open(QIODevice::WriteOnly))
            return config.errorString();
        config.write("<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
                     "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>session</type><listen>unix:dir=" +
                     path("XDG_RUNTIME_DIR").toUtf8() +
                     "</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
                     "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n");
        config.close();
        m_bus.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_bus.start(bus, {QStringLiteral("--config-file=") + config.fileName(), QStringLiteral("--nofork"), QStringLiteral("--nosyslog"),
                          QStringLiteral("--print-address")});
        if (!m_bus.waitForStarted(10000) || !m_bus.waitForReadyRead(10000))
            return QStringLiteral("dbus-daemon does not start");
        m_address = m_bus.readLine().trimmed();
        qputenv("DBUS_SESSION_BUS_ADDRESS", m_address);
        return {};
    }

    // `unlocked`: with the password that its keyring has, which makes the keyring the first time.
    QString startKeyring(bool unlocked) {
        stop(m_keyring);
        QStringList words{QStringLiteral("--foreground"), QStringLiteral("--components=secrets"), QStringLiteral("--control-directory"),
                          path("XDG_RUNTIME_DIR") + QStringLiteral("/keyring")};
        if (unlocked)
            words.prepend(QStringLiteral("--unlock"));
        m_keyring.setProcessChannelMode(QProcess::MergedChannels);
        m_keyring.start(QStringLiteral("gnome-keyring-daemon"), words);
        if (!m_keyring.waitForStarted(10000))
            return QStringLiteral("gnome-keyring-daemon does not start");
        if (unlocked)
            m_keyring.write("a password of the test");
        m_keyring.closeWriteChannel();
        return {};
    }

    QString path(const char* leaf) const { return m_folder.filePath(QString::fromLatin1(leaf)); }
    QString folder() const { return m_folder.path(); }
    QByteArray address() const { return m_address; }
    QString said() { return QString::fromUtf8(m_keyring.readAll()); }

private:
    static void stop(QProcess& process) {
        if (process.state() == QProcess::NotRunning)
            return;
        process.terminate();
        if (!process.waitForFinished(5000)) {
            process.kill();
            process.waitForFinished(2000);
        }
    }
    QTemporaryDir m_folder;
    QProcess m_bus, m_keyring;
    QByteArray m_address;
};

} // namespace carousel
