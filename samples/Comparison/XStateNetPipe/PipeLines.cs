using System.Text;
using System.Text.Json;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// A pipe that carries one JSON object a line, each written out at once. Any number of writers, one reader.
/// </summary>
internal sealed class PipeLines(Stream pipe) : IDisposable
{
    private static readonly UTF8Encoding WithoutMark = new(encoderShouldEmitUTF8Identifier: false);

    private readonly StreamReader _reader = new(pipe, WithoutMark);
    private readonly StreamWriter _writer = new(pipe, WithoutMark);
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Writes a line. Those who wait for their turn get it in the order in which they came.</summary>
    /// <param name="value">The object.</param>
    /// <param name="writing">Called when it has its place in the order.</param>
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

    /// <summary>Reads a line; none at the end.</summary>
    public async Task<T?> ReadAsync<T>(CancellationToken cancellationToken)
        where T : class
    {
        var line = await _reader.ReadLineAsync(cancellationToken);
        return line is null ? null : JsonSerializer.Deserialize<T>(line);
    }

    // The reader and the writer hold nothing else: each line is flushed.
    public void Dispose() => pipe.Dispose();
}
