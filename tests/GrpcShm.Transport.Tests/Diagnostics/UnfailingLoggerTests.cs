using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Tests.Diagnostics;

/// <summary>A logger whose provider's disk is full.</summary>
public sealed class UnfailingLoggerTests
{
    [Fact]
    public void Log_ProviderThrows_WhoeverLogsGoesOn()
    {
        var failing = new FailingLogger();
        var logger = new UnfailingLogger(failing);

        Assert.True(logger.IsEnabled(LogLevel.Warning));
        logger.Log(LogLevel.Warning, new EventId(7), "state", null, static (state, _) => state);
        failing.FailsAlways = true;
        Assert.False(logger.IsEnabled(LogLevel.Warning));

        Assert.Equal(7, failing.Last.Id);
    }

    private sealed class FailingLogger : ILogger
    {
        public EventId Last { get; private set; }

        public bool FailsAlways { get; set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) =>
            !FailsAlways ? true : throw new IOException("No space left on device.");

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            Last = eventId;
            throw new IOException("No space left on device.");
        }
    }
}
