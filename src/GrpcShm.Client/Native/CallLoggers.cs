using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Native;

/// <summary>The loggers of a channel's calls, in the categories of grpc-dotnet.</summary>
internal sealed class CallLoggers(ILoggerFactory loggers)
{
    private const string Namespace = "Grpc.Net.Client.Internal.";

    /// <summary>Gets the lines of calls.</summary>
    public ILogger Calls { get; } = Create(loggers, "GrpcCall");

    /// <summary>Gets the lines of those who read the messages of a response.</summary>
    public ILogger Readers { get; } = Create(loggers, "HttpContentClientStreamReader");

    /// <summary>Gets the lines of those who write the messages of a request.</summary>
    public ILogger Writers { get; } = Create(loggers, "HttpContentClientStreamWriter");

    /// <summary>True if any lines are kept, however important they are.</summary>
    public bool AreOn => AreKept(LogLevel.Critical);

    /// <summary>
    /// True if lines are kept that tell of each step of a call. Those are written by grpc-dotnet alone.
    /// </summary>
    public bool AreDetailed => AreKept(LogLevel.Debug);

    private static UnfailingLogger Create(ILoggerFactory loggers, string type) =>
        new(loggers.CreateLogger(Namespace + type));

    private bool AreKept(LogLevel level) =>
        Calls.IsEnabled(level) || Readers.IsEnabled(level) || Writers.IsEnabled(level);
}
