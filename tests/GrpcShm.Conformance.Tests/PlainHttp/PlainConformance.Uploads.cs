using GrpcShm.Conformance.Tests.Harness;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>Bodies that a client sends.</summary>
public abstract partial class PlainConformance
{
    [Theory]
    [MemberData(nameof(Sizes))]
    public Task Post_WithItsLength_ComesWhole(int size) => AssertUploadAsync(size, chunked: false);

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task Post_WithoutItsLength_ComesWhole(int size) => AssertUploadAsync(size, chunked: true);

    [Fact]
    public async Task Post_ManyAtOnce_EachComesWhole() =>
        await Task.WhenAll(Enumerable.Range(0, 40).Select(
            i => AssertUploadAsync(i * 7_919, chunked: i % 2 == 0))).InTime();

    private protected async Task AssertUploadAsync(int size, bool chunked, bool expectContinue = false)
    {
        var body = CreateBody(size, NewSeed());
        using HttpContent content = chunked
            ? new StreamContent(new UnknownLengthStream(body))
            : new ByteArrayContent(body);
        using var request = new HttpRequestMessage(HttpMethod.Post, At("/plain/hash")) { Content = content };
        request.Headers.ExpectContinue = expectContinue;

        using var response = await Client.SendAsync(request, TestToken).InTime();

        Assert.Equal(
            $"{size} {Hash(body)} {(chunked ? "none" : size)}",
            await response.Content.ReadAsStringAsync(TestToken).InTime());
    }

    /// <summary>Returns its bytes in pieces of many sizes, and does not know its length.</summary>
    private sealed class UnknownLengthStream(byte[] body) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var count = Math.Min(Math.Min(buffer.Length, body.Length - _position), 1 + (_position % 20_011));
            body.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
