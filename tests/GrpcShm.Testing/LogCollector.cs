using Microsoft.Extensions.Logging;

namespace GrpcShm.Testing;

/// <summary>Keeps all log lines.</summary>
internal sealed class LogCollector : ILogger
{
    private readonly Lock _gate = new();
    private readonly List<LogLine> _lines = [];

    public IReadOnlyList<LogLine> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Runs on the thread that logs, after the line has been kept; none unless a test sets it.</summary>
    public Action<LogLine>? Written { get; set; }

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
        var line = new LogLine(logLevel, eventId.Name ?? string.Empty, formatter(state, exception), exception);
        lock (_gate)
        {
            _lines.Add(line);
        }

        Written?.Invoke(line);
    }

    /// <summary>Waits until a line with this name and text has been logged.</summary>
    public async Task<LogLine> WaitForAsync(string name, string text)
    {
        LogLine? found = null;
        await TimeLimit.UntilAsync(
            () =>
            {
                found = Lines.FirstOrDefault(l => l.Name == name && l.Text.Contains(text, StringComparison.Ordinal));
                return found is not null;
            },
            () => $"No line '{name}' with '{text}'. There are:\n" + string.Join('\n', Lines));
        return found!;
    }
}
