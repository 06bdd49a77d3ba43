using System.Net;
using GrpcShm.Conformance.Tests.Harness;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>A feature that only HTTP/2 has: a response that begins while its request goes on.</summary>
public abstract class PlainHttp2Conformance(IPlainFixture fixture) : PlainConformance(fixture, HttpVersion.Version20)
{
    [Fact]
    public async Task Post_AnsweredWhileItIsSent_GoesBothWaysInStep()
    {
        var streams = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var content = new OpenContent(streams, ended.Task);
        using var request = new HttpRequestMessage(HttpMethod.Post, At("/plain/echo")) { Content = content };
        var sending = Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestToken);
        var upload = await streams.Task.InTime();
        Stream? download = null;
        foreach (var size in (int[])[1, 10_000, 70_000, 300_000])
        {
            var body = CreateBody(size, NewSeed());
            var writing = WriteAsync(upload, body);
            download ??= await (await sending.InTime()).Content.ReadAsStreamAsync(TestToken).InTime();
            var echo = new byte[size];
            await download.ReadExactlyAsync(echo, TestToken).AsTask().InTime();
            await writing.InTime();
            Assert.Equal(Hash(body), Hash(echo));
        }

        ended.SetResult();
        Assert.Equal(0, await download!.ReadAsync(new byte[1], TestToken).AsTask().InTime());
        (await sending).Dispose();
    }

    private static async Task WriteAsync(Stream stream, byte[] body)
    {
        await stream.WriteAsync(body, TestToken);
        await stream.FlushAsync(TestToken);
    }

    private sealed class OpenContent(TaskCompletionSource<Stream> streams, Task ended) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            streams.SetResult(stream);
            await ended;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
