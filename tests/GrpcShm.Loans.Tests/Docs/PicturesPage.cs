using System.Buffers;
using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Loans;
using Imaging;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.PageCode;

/// <summary>
/// The code of <c>docs/how-to/send-large-payloads.md</c> besides its files. <c>SendLargePayloadsPageTests</c> compares
/// the two, and runs this.
/// </summary>
internal static class PicturesPage
{
    private const int Pictures = 3;

    public static WebApplication CreateServer(string directory)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = directory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseSharedMemory(options => options.RuntimeDirectory = directory);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("pictures"));
        builder.Services.AddGrpc().AddLoans();

        var app = builder.Build();
        app.MapGrpcService<PictureService>().WithNativeDispatch();
        return app;
    }

    public static SharedMemoryChannel Connect(string directory) => SharedMemoryChannel.ForAddress(
        "shm:pictures", new SharedMemoryClientOptions { RuntimeDirectory = directory });

    public static async Task<byte> SharpenAsync(SharedMemoryChannel channel)
    {
        var calls = channel.CreateCallInvoker();

        using var picture = Loaned.Create(new Picture { Name = "wafer", Width = 1024 }, 1024 * 1024);
        Capture(picture.Memory.Span);
        using var sharp = await calls.AsyncUnaryCall(PictureMethods.Sharpen, null, new CallOptions(), picture);
        Console.WriteLine($"{sharp.Message.Name}: {sharp.PayloadLength} bytes");

        return sharp.Payload.FirstSpan[0];
    }

    public static async Task<List<byte>> WatchAsync(SharedMemoryChannel channel)
    {
        var calls = channel.CreateCallInvoker();
        var seen = new List<byte>();

        using var watch = calls.AsyncServerStreamingCall(
            PictureMethods.Watch, null, new CallOptions(), new WatchRequest { Pictures = Pictures });
        await foreach (var picture in watch.ResponseStream.ReadAllAsync())
        {
            using (picture)
            {
                Show(picture.Payload);
            }
        }

        return seen;

        void Show(ReadOnlySequence<byte> pixels) => seen.Add(pixels.FirstSpan[0]);
    }

    public static Loaned<Picture> CreateOfUnknownLength(Action<IBufferWriter<byte>> encode)
    {
        var picture = Loaned.Create(new Picture(), writer => encode(writer));

        return picture;
    }

    public static LoanPool CreatePool()
    {
        var pool = new LoanPool(new LoanPoolOptions
        {
            MaxKeptBytes = 16 * 1024 * 1024,
            MaxLoanedBytes = 256 * 1024 * 1024,
        });

        return pool;
    }

    private static void Capture(Span<byte> pixels) => pixels.Fill(7);
}
