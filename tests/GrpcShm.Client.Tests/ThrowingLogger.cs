using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Tests;

/// <summary>A logger that throws when the end of a connection is logged, and counts these logs.</summary>
internal sealed class ThrowingLogger(SemaphoreSlim thrown) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name == "Disconnected")
        {
            thrown.Release();
            throw new TimeZoneNotFoundException("The logger has failed.");
        }
    }

    public void Dispose()
    {
    }
}
