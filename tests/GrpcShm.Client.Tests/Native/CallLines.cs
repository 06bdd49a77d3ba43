using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Tests.Native;

/// <summary>Keeps the lines that gRPC's own loggers write for the calls of a channel, with their scopes.</summary>
internal sealed class CallLines : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();
    private readonly ILoggerFactory _factory;
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();
    private int _started;
    private int _finished;

    /// <param name="level">The least level that is kept.</param>
    public CallLines(LogLevel level) =>
        _factory = LoggerFactory.Create(logging => logging.SetMinimumLevel(level).AddProvider(this));

    public ILoggerFactory Factory => _factory;

    /// <summary>The number of calls that have told of their end, which they do at the level Debug.</summary>
    public int Finished => Volatile.Read(ref _finished);

    /// <summary>True if no call is under way that tells of its beginning and its end.</summary>
    public bool AreComplete => Finished == Volatile.Read(ref _started);

    /// <summary>The lines from Information upwards.</summary>
    public string Text => string.Join(
        '\n', _lines.Where(static line => line.Level >= LogLevel.Information).Select(static line => line.Text));

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Clear() => _lines.Clear();

    public void Dispose() => _factory.Dispose();

    private void Add(string category, LogLevel level, EventId id, string text, Exception? exception)
    {
        var scopes = new List<string>();
        if (id.Name != "DeadlineExceeded")
        {
            // That line has none in grpc-dotnet, which writes it on the thread of a timer.
            _scopes.ForEachScope(static (scope, scopes) => scopes.Add(scope?.ToString() ?? "none"), scopes);
        }

        var reason = exception?.GetType().Name ?? "nothing";
        _lines.Enqueue((
            level,
            $"{category} {level} {id.Id} {id.Name}: {text} because of {reason} in [{string.Join(", ", scopes)}]"));
        switch (id.Name)
        {
            case "StartingCall":
                Interlocked.Increment(ref _started);
                break;
            case "FinishedCall":
                Interlocked.Increment(ref _finished);
                break;
        }
    }

    private sealed class Logger(CallLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => lines._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => category.StartsWith("Grpc.", StringComparison.Ordinal);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lines.Add(category, logLevel, eventId, formatter(state, exception), exception);
            }
        }
    }
}
