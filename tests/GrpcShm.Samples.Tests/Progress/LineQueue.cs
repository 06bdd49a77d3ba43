using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace GrpcShm.Samples.Tests.Progress;

/// <summary>A writer whose lines a test can wait for.</summary>
internal sealed class LineQueue() : TextWriter(CultureInfo.InvariantCulture)
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>How many lines nobody has taken yet.</summary>
    public int Count => _lines.Reader.Count;

    public override void WriteLine(string? value) => _lines.Writer.TryWrite(value ?? "");

    public Task<string> TakeAsync() => _lines.Reader.ReadAsync().AsTask().InTime();
}
