using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>The body of a request as a stream: what may be done with it, and until when.</summary>
public sealed class RequestStreamTests : IDisposable
{
    private readonly MemoryStream _input = new([1, 2, 3, 4, 5, 6]);
    private readonly BodyControl _control = new();
    private readonly RequestStream _stream;

    public RequestStreamTests() => _stream = new RequestStream(_input, _control);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _stream.Dispose();
        _input.Dispose();
    }

    [Fact]
    public async Task ReadAsync_InEachWay_ReadsTheInput()
    {
        var bytes = new byte[6];
        Assert.Equal(1, await _stream.ReadAsync(bytes.AsMemory(0, 1), Token));
#pragma warning disable CA1835 // Callers of long ago use it.
        Assert.Equal(1, await _stream.ReadAsync(bytes, 1, 1, Token));
#pragma warning restore CA1835
        Assert.Equal(1, await Task.Factory.FromAsync(_stream.BeginRead, _stream.EndRead, bytes, 2, 1, null));
        using var rest = new MemoryStream();
        await _stream.CopyToAsync(rest, Token);

        Assert.Equal([1, 2, 3, 0, 0, 0], bytes);
        Assert.Equal([4, 5, 6], rest.ToArray());
    }

    [Fact]
    public void Read_NotAllowed_IsRefused()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => _stream.Read(new byte[1], 0, 1));
        Assert.Contains("AllowSynchronousIO", refused.Message, StringComparison.Ordinal);

        _control.AllowSynchronousIO = true;
        Assert.Equal(1, _stream.ReadByte());
    }

    [Fact]
    public async Task Stop_WhoeverKeptIt_ReadsNoMore()
    {
        _control.AllowSynchronousIO = true;
        _stream.Stop();

        var bytes = new byte[1];
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadAsync(bytes));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _stream.CopyToAsync(Stream.Null, Token));
        Assert.Throws<ObjectDisposedException>(() => _stream.Read(bytes, 0, 1));
        Assert.Equal(0, _input.Position);
    }

    [Fact]
    public void Stream_OfARequest_CanOnlyBeRead()
    {
        Assert.Equal((true, false, false), (_stream.CanRead, _stream.CanSeek, _stream.CanWrite));
        Assert.Throws<NotSupportedException>(() => _stream.Length);
        Assert.Throws<NotSupportedException>(() => _stream.Position);
        Assert.Throws<NotSupportedException>(() => _stream.Position = 1);
        Assert.Throws<NotSupportedException>(() => _stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => _stream.SetLength(0));
        Assert.Throws<NotSupportedException>(() => _stream.Write([1], 0, 1));
    }

    private async Task<int> ReadAsync(byte[] bytes) => await _stream.ReadAsync(bytes.AsMemory(), Token);
}
