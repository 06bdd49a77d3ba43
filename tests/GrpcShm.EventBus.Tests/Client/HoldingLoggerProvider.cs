using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>A logger that holds the thread of whoever writes the first line of a kind.</summary>
internal sealed class HoldingLoggerProvider(string eventName) : ILoggerProvider, ILogger
{
    private readonly ManualResetEventSlim _goOn = new();
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a thread is held.</summary>
    public Task IsHeld => _held.Task;

    public void GoOn() => _goOn.Set();

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
        if (eventId.Name == eventName && _held.TrySetResult())
        {
            _goOn.Wait(TimeSpan.FromMinutes(1));
        }
    }

    public void Dispose() => _goOn.Dispose();
}
