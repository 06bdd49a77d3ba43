using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Counts the lanes that have stood, each at each client that logs here.</summary>
internal sealed class LaneLog : ILoggerFactory, ILogger
{
    private int _stood;
    private int _ended;

    public int Stood => Volatile.Read(ref _stood);

    /// <summary>How many have ended, otherwise than with their session.</summary>
    public int Ended => Volatile.Read(ref _ended);

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
        switch (eventId.Name)
        {
            case "LaneStands":
                Interlocked.Increment(ref _stood);
                break;
            case "LaneEnded":
                Interlocked.Increment(ref _ended);
                break;
        }
    }

    public void Dispose()
    {
    }
}
