using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Rendezvous;
using Microsoft.Extensions.Logging;
using TransportLog = GrpcShm.Transport.Diagnostics.Log;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>A listener holds no lock while a logger runs.</summary>
public sealed class ListenerLoggerTests
{
    [Fact]
    public async Task Refuse_LoggerWaitsForTheListenerToClose_TheListenerCloses()
    {
        await using var endPoint = new TestEndPoint();
        using var logger = new ClosingLogger(endPoint.SocketPath);
        await using var listener = new SharedMemoryListener(
            endPoint.EndPoint,
            endPoint.Settings with { MaxPendingHandshakes = 1 },
            TransportMetrics.For(null),
            logger);
        logger.Listener = listener;

        // The first one is in the middle of its handshake, so there is no room for the second one.
        using var first = new RawBytesPeer(endPoint.SocketPath);
        using var second = new RawBytesPeer(endPoint.SocketPath);
        Assert.Equal(RefusalCode.Busy, second.ReceiveToTheEnd());

        Assert.True(await logger.HasClosed.InTime(), "The listener did not close while the logger ran.");
    }

    /// <summary>Closes the listener while a refusal is logged, and waits until its name is given back.</summary>
    private sealed class ClosingLogger(string path) : ILogger, IDisposable
    {
        private readonly TaskCompletionSource<bool> _hasClosed =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        private Task _closing = Task.CompletedTask;
        private bool _hasBegun;

        public SharedMemoryListener? Listener { get; set; }

        public Task<bool> HasClosed => _hasClosed.Task;

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
            if (eventId.Name == nameof(TransportLog.ClientRefused) && !Interlocked.Exchange(ref _hasBegun, true))
            {
                _closing = Task.Run(async () => await Listener!.DisposeAsync());
                _hasClosed.TrySetResult(SpinWait.SpinUntil(() => !File.Exists(path), TimeLimit.Value / 2));
            }
        }

        public void Dispose() => _closing.Wait(TimeLimit.Value);
    }
}
