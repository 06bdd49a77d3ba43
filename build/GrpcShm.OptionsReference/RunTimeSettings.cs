using System.Globalization;
using GrpcShm.Loans;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.OptionsReference;

/// <summary>The settings of a whole process. No type of options has them.</summary>
internal static class RunTimeSettings
{
    /// <summary>The settings of <c>runtimeconfig.json</c>: name, default, values, effect.</summary>
    public static IReadOnlyList<(string Name, string Default, string Values, string Effect)> InRunTimeConfiguration =>
    [
        Number(
            ProcessReactors.Count,
            "The number of threads that serve the rings (*reactors*). Each connection belongs to one of them."),
        Number(
            ProcessReactors.SpinTime,
            "In microseconds: a reactor looks at its rings for this time before it sleeps (it *spins*). A reactor also "
            + "tries, now and then, whether more bytes move if it waits about 70 µs after a wake-up, so that more "
            + "messages gather. It measures both ways, and keeps the way that moves more bytes. The value 0 turns both "
            + "off, and also the look for the answer in a handshake, which takes up to 100 µs. On a machine with one "
            + "processor the value is always 0."),
        Number(
            ProcessReactors.IdleMilliseconds,
            "In milliseconds: a reactor stays for this time after its last connection or listener has closed. Then its "
            + "threads end, and the next connection starts them again."),
        (
            FaultPoint.Switch,
            "`false`",
            "`true`, `false`",
            "For tests of the library: lets code of the same process stop or end the process at a step of a "
            + "connection's life. See [threat-model.md](../why/threat-model.md#fault-points)."),
        (
            LoanPoolOptions.CheckedSwitch,
            "as the program was built",
            "`true`, `false`",
            "Whether pools of [loans](../how-to/send-large-payloads.md) look for misuse, of which their options say "
            + "nothing else. Without it they do in a program that was built for debugging."),
        (
            "System.Net.Http.EnableActivityPropagation",
            "`true`",
            "`true`, `false`",
            "A setting of .NET: whether a client sends the identity of its trace with each request. It holds over "
            + "shared memory, too."),
    ];

    /// <summary>The environment variables that the libraries read: name, effect.</summary>
    public static IReadOnlyList<(string Name, string Effect)> InEnvironment =>
    [
        (
            "XDG_RUNTIME_DIR",
            "The user's run-time directory. Names of endpoints are looked for in its folder `grpcshm` first: see "
            + "[protocol.md](../why/protocol.md#names)."),
        (
            "HOME",
            "The user's home directory. Names of endpoints are in its folder `.grpcshm` if no other directory is "
            + "left."),
        (
            "LISTEN_PID",
            "Set by systemd for a service that a socket unit starts: the process for which the sockets are meant."),
        (
            "LISTEN_FDS",
            "Set by systemd as well: the number of the sockets. A server takes over the socket that has the path of "
            + "its endpoint."),
        (
            "DOTNET_SYSTEM_NET_HTTP_ENABLEACTIVITYPROPAGATION",
            "`0` or `false` turns `System.Net.Http.EnableActivityPropagation` off, unless the run-time configuration "
            + "has that setting."),
    ];

    private static (string Name, string Default, string Values, string Effect) Number(
        RunTimeSetting setting, string effect) =>
        (setting.Name, Write(setting.Default), $"{Write(setting.Least)} to {Write(setting.Most)}", effect);

    private static string Write(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
