using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>Keeps the log lines of all categories of a host.</summary>
internal sealed class CollectorProvider : ILoggerProvider
{
    public LogCollector Log { get; } = new();

    public ILogger CreateLogger(string categoryName) => Log;

    public void Dispose()
    {
    }
}
