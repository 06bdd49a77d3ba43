using Microsoft.Extensions.Logging;

namespace GrpcShm;

/// <summary>
/// Keeps what a logger throws from whoever logs. A logger throws when one of its providers does, whose disk is full,
/// say. What is logged here is said by threads that others depend on: one that serves connections, one of the pool
/// where an exception ends the process, one that has still to tell a peer of its end.
/// </summary>
/// <remarks>Compiled into each library that hears from a peer.</remarks>
internal sealed class UnfailingLogger(ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            // Then it would not take a line, either.
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // There is nobody left to tell: this was the way to do so.
        }
    }
}
