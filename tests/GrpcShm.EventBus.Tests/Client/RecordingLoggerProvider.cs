using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Keeps what is logged.</summary>
internal sealed class RecordingLoggerProvider : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = [];

    /// <summary>The exceptions of the lines that have one, each with its line.</summary>
    public ConcurrentQueue<string> Exceptions { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

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
        var line = $"{logLevel} {eventId.Name}: {formatter(state, exception)}";
        Lines.Enqueue(line);
        if (exception is not null)
        {
            Exceptions.Enqueue($"{line} {exception}");
        }
    }

    public void Dispose()
    {
    }
}
