using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Diagnostics;

/// <summary>
/// A logger of the application, which is foreign code and may throw, as one does whose disk is full. Whoever logs here is about to answer
/// a call, or to end one, and its peer waits for that; on a thread of the pool it would end the process.
/// </summary>
internal sealed class GuardedLogger(ILogger logger) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => logger.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return logger.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            // As below: what cannot even be asked cannot be told.
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // A logger that throws: there is nobody left to tell. The calls are served on.
        }
    }
}
