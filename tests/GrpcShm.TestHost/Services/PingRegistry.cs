using System.Collections.Concurrent;

namespace GrpcShm.TestHost.Services;

/// <summary>
/// Counts the keep-alive pings that arrive, connection by connection. Kestrel reports them only in its log of frames,
/// so this is a logger. Only hosts started with <c>--watch-pings</c> have it, since it takes time.
/// </summary>
internal sealed class PingRegistry : ILoggerProvider, ILogger
{
    public const string Category = "Microsoft.AspNetCore.Server.Kestrel.Http2";

    private readonly ConcurrentDictionary<(string ConnectionId, bool Acknowledgement), int> _counts = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task<int> WhenAsync(
        string connectionId, bool acknowledgement, int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Volatile.Read(ref _changed).Task;
            var counted = _counts.GetValueOrDefault((connectionId, acknowledgement));
            if (counted >= count)
            {
                return counted;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Trace;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name != "Http2FrameReceived" || state is not IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            return;
        }

        string? Find(string key) =>
            values.FirstOrDefault(v => v.Key.Equals(key, StringComparison.OrdinalIgnoreCase)).Value?.ToString();
        if (Find("type") == "PING" && Find("connectionId") is { } connectionId)
        {
            _counts.AddOrUpdate((connectionId, Find("flags") == "ACK"), 1, static (_, count) => count + 1);
            var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Exchange(ref _changed, changed).TrySetResult();
        }
    }

    public void Dispose()
    {
    }
}
