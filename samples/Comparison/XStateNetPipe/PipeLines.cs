using System.Text;
using System.Text.Json;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// A pipe that carries one JSON object in each line, and flushes each line. It has any number of writers and one
/// reader.
/// </summary>
internal sealed class PipeLines(Stream pipe) : IDisposable
{
    private static readonly UTF8Encoding WithoutMark = new(encoderShouldEmitUTF8Identifier: false);

    private readonly StreamReader _reader = new(pipe, WithoutMark);
    private readonly StreamWriter _writer = new(pipe, WithoutMark);
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Writes a line. Waiting writers get their turn in the order in which they came.</summary>
    /// <param name="value">The object.</param>
    /// <param name="writing">Called when the line has its place in the order.</param>
    public async Task WriteAsync<T>(T value, Action? writing = null)
    {
        await _writing.WaitAsync();
        try
        {
            writing?.Invoke();
            await _writer.WriteLineAsync(JsonSerializer.Serialize(value));
            await _writer.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Reads a line; null at the end.</summary>
    public async Task<T?> ReadAsync<T>(CancellationToken cancellationToken)
        where T : class
    {
        var line = await _reader.ReadLineAsync(cancellationToken);
        return line is null ? null : JsonSerializer.Deserialize<T>(line);
    }

    // Reader and writer keep no data back, since each line is flushed.
    public void Dispose() => pipe.Dispose();
}
