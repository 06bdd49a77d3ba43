using System.Buffers;
using System.IO.Pipelines;
using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>The body of a response as a stream: what may be done with it, and until when.</summary>
public sealed class ResponseStreamTests : IDisposable
{
    private readonly Pipe _pipe = new();
    private readonly BodyControl _control = new();
    private readonly ResponseStream _stream;

    public ResponseStreamTests() => _stream = new ResponseStream(_pipe.Writer, _control);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _stream.Dispose();

    [Fact]
    public async Task WriteAsync_InEachWay_WritesToTheWriter()
    {
        await _stream.WriteAsync(new byte[] { 1 }.AsMemory(), Token);
#pragma warning disable CA1835 // Callers of long ago use it.
        await _stream.WriteAsync([0, 2, 0], 1, 1, Token);
#pragma warning restore CA1835
        await Task.Factory.FromAsync(_stream.BeginWrite, _stream.EndWrite, new byte[] { 3 }, 0, 1, null);
        _control.AllowSynchronousIO = true;
        _stream.Write([4], 0, 1);

        Assert.True(_pipe.Reader.TryRead(out var result));
        Assert.Equal([1, 2, 3, 4], result.Buffer.ToArray());
    }

    [Fact]
    public async Task FlushAsync_BytesWereNotFlushed_FlushesThem()
    {
        _pipe.Writer.Write<byte>([1, 2]);
        Assert.False(_pipe.Reader.TryRead(out _));

        await _stream.FlushAsync(Token);

        Assert.True(_pipe.Reader.TryRead(out var result));
        Assert.Equal(2, result.Buffer.Length);
    }

    [Fact]
    public void Write_NotAllowed_IsRefusedAndWritesNothing()
    {
        Assert.Throws<InvalidOperationException>(() => _stream.Write([1], 0, 1));
        var refused = Assert.Throws<InvalidOperationException>(_stream.Flush);

        Assert.Contains("AllowSynchronousIO", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, _pipe.Writer.UnflushedBytes);
        Assert.False(_pipe.Reader.TryRead(out _));
    }

    [Fact]
    public async Task WriteAsync_ClientIsGone_IsNoFailure()
    {
        await _pipe.Reader.CompleteAsync();

        await _stream.WriteAsync(new byte[] { 1 }.AsMemory(), Token);
        await _stream.FlushAsync(Token);
    }

    [Fact]
    public async Task WriteAsync_WriterFailsLater_PassesThatOn()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        await using var stream = new ResponseStream(pipe.Writer, _control);
        using var source = new CancellationTokenSource();
        var write = stream.WriteAsync(new byte[] { 1, 2, 3 }.AsMemory(), source.Token);
        Assert.False(write.IsCompleted);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.InTime());
    }

    [Fact]
    public async Task Stop_WhoeverKeptIt_WritesNoMore()
    {
        _control.AllowSynchronousIO = true;
        _stream.Stop();

        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await _stream.WriteAsync(new byte[1].AsMemory(), Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _stream.WriteAsync(new byte[1], 0, 1, Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _stream.FlushAsync(Token));
        Assert.Throws<ObjectDisposedException>(() => _stream.Write([1], 0, 1));
        Assert.False(_pipe.Reader.TryRead(out _));
    }

    [Fact]
    public void Stream_OfAResponse_CanOnlyBeWritten()
    {
        Assert.Equal((false, false, true), (_stream.CanRead, _stream.CanSeek, _stream.CanWrite));
        Assert.Throws<NotSupportedException>(() => _stream.Length);
        Assert.Throws<NotSupportedException>(() => _stream.Position);
        Assert.Throws<NotSupportedException>(() => _stream.Position = 1);
        Assert.Throws<NotSupportedException>(() => _stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => _stream.SetLength(0));
        Assert.Throws<NotSupportedException>(() => _stream.Read(new byte[1], 0, 1));
    }
}
