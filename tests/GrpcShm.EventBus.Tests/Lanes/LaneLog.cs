using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Counts the lanes that have stood, each at each client that logs here.</summary>
internal sealed class LaneLog : ILoggerFactory, ILogger
{
    private int _stood;

    public int Stood => Volatile.Read(ref _stood);

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
        if (eventId.Name == "LaneStands")
        {
            Interlocked.Increment(ref _stood);
        }
    }

    public void Dispose()
    {
    }
}
