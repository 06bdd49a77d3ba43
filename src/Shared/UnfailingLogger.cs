using Microsoft.Extensions.Logging;

namespace GrpcShm;

/// <summary>
/// Keeps the exceptions of a logger from the code that logs. A logger throws if one of its providers does, for example
/// because its disk is full. Others depend on the threads that log here: a thread that serves connections, a thread of
/// the pool where an exception ends the process, a thread that still has to tell a peer of its end.
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
            // A logger that throws here would not take a line, either.
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // There is nobody left to tell: the logger was the way to tell.
        }
    }
}
