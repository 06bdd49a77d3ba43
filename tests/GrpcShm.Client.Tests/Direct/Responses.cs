using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>The answers of fake servers, and the calls of their clients.</summary>
internal static class Responses
{
    public const string Address = "http://localhost/test.Fake/Call";

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(static bytes => bytes, static bytes => bytes);

    public static readonly Method<byte[], byte[]> Unary = Create(MethodType.Unary);

    public static readonly Method<byte[], byte[]> ClientStreaming = Create(MethodType.ClientStreaming);

    public static readonly Method<byte[], byte[]> ServerStreaming = Create(MethodType.ServerStreaming);

    public static readonly Method<byte[], byte[]> Duplex = Create(MethodType.DuplexStreaming);

    /// <summary>A message that <see cref="EchoAsync"/> does not answer.</summary>
    public static readonly byte[] Unanswered = "Do not answer."u8.ToArray();

    /// <summary>The options of calls, which bound every wait.</summary>
    public static CallOptions CallOptions =>
        new(deadline: DateTime.UtcNow + TimeLimit.Value, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Makes a request like gRPC's, with any content.</summary>
    public static HttpRequestMessage Post(HttpContent? content)
    {
        content ??= new ByteArrayContent([]);
        content.Headers.ContentType = new("application/grpc");
        var request =
            new HttpRequestMessage(HttpMethod.Post, Address) { Version = new Version(2, 0), Content = content };
        request.Headers.TE.ParseAdd("trailers");
        return request;
    }

    /// <summary>Reads the whole request, and sends its messages back in one frame.</summary>
    public static async Task EchoAsync(TestCall call)
    {
        var body = await call.ReadWholeAsync();
        if (body.AsSpan().EndsWith(Unanswered))
        {
            return;
        }

        SetGrpcHeaders(call);
        call.Output.Write(body);
        call.SetTrailers(("grpc-status", "0"));
        call.EndOutput();
    }

    /// <summary>Sends headers at once, then waits until it may go on, and sends "text" and the end.</summary>
    public static async Task SendTextAsync(TestCall call, Task goOn)
    {
        call.SetHeaders((":status", "200"));
        await call.SendAsync(default);
        await goOn;
        await call.SendAsync("text"u8.ToArray());
        call.EndOutput();
    }

    public static Task NeverAsync(TestCall call) => Task.CompletedTask;

    public static void SetGrpcHeaders(TestCall call) =>
        call.SetHeaders((":status", "200"), ("content-type", "application/grpc"));

    public static byte[] Message(ReadOnlySpan<byte> content)
    {
        var message = new byte[5 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), content.Length);
        content.CopyTo(message.AsSpan(5));
        return message;
    }

    public static async Task<byte[]> CallAsync(this CallInvoker invoker, byte[] request, CallOptions? options = null) =>
        await invoker.AsyncUnaryCall(Unary, null, options ?? CallOptions, request).ResponseAsync.InTime();

    private static Method<byte[], byte[]> Create(MethodType type) =>
        new(type, "test.Fake", type.ToString(), Bytes, Bytes);
}
