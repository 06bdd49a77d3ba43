using System.IO.Pipes;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Docs;

/// <summary>
/// The code of the pages in <c>docs/how-to</c>. <see cref="HowToPagesTests"/> compares the two. The lines that only
/// differ in what the pages say about them stand here once for each page.
/// </summary>
internal static class HowToPages
{
    public static void ConfigureServer(WebApplicationBuilder builder)
    {
        builder.WebHost.UseSharedMemory(options => options.RingSize = 64 * 1024);
    }

    public static void ConfigureServerByItsSection(WebApplicationBuilder builder)
    {
        builder.WebHost.UseSharedMemory();      // the server: reads the section "SharedMemory"
    }

    public static void ConfigureClient(IServiceCollection services, IConfiguration configuration)
    {
        services.AddGrpcClient<Orders.OrdersClient>().UseSharedMemory(configuration.GetSection("Orders"));
    }

    public static void ConfigureClientOfAContainer(IServiceCollection services, IConfiguration configuration)
    {
        services.AddGrpcClient<Orders.OrdersClient>()
            .UseSharedMemory(configuration.GetSection("Orders"));      // the client
    }

    public static void ConfigureHub(WebApplicationBuilder builder)
    {
        builder.Services.AddEventBus(builder.Configuration.GetSection("EventBus"));
    }

    public static void ListenBefore(WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenUnixSocket("/run/orders.sock", listen => listen.Protocols = HttpProtocols.Http2));
    }

    public static void ListenAfter(WebApplicationBuilder builder)
    {
        builder.WebHost.UseSharedMemory();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenSharedMemory("orders");
            kestrel.ListenUnixSocket("/run/orders.sock", listen => listen.Protocols = HttpProtocols.Http2);
        });
    }

    public static void ListenOnEachSystem(WebApplicationBuilder builder)
    {
        if (OperatingSystem.IsLinux())
        {
            builder.WebHost.UseSharedMemory();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("orders"));
        }
        else
        {
            builder.WebHost.ConfigureKestrel(kestrel =>
                kestrel.ListenNamedPipe("orders", listen => listen.Protocols = HttpProtocols.Http2));
        }
    }

    public static string ConnectOnEachSystem()
    {
        ChannelBase channel = OperatingSystem.IsLinux()
            ? SharedMemoryChannel.ForAddress("shm:orders")
            : GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
            {
                HttpHandler = new SocketsHttpHandler { ConnectCallback = ConnectToPipeAsync },
            });
        using var owned = (IDisposable)channel;

        static async ValueTask<Stream> ConnectToPipeAsync(
            SocketsHttpConnectionContext context, CancellationToken cancellationToken)
        {
            var pipe = new NamedPipeClientStream(".", "orders", PipeDirection.InOut, PipeOptions.Asynchronous);
            await pipe.ConnectAsync(cancellationToken);
            return pipe;
        }

        return channel.Target;
    }

    public static SharedMemoryClientOptions Log(ILoggerFactory loggerFactory)
    {
        var options = new SharedMemoryClientOptions { LoggerFactory = loggerFactory };
        return options;
    }

    public static void CheckHealth(WebApplicationBuilder builder, IServiceCollection services)
    {
        builder.Services.AddHealthChecks().AddEventBus();           // the hub: unhealthy while it stops
        services.AddHealthChecks().AddEventBusClient();             // a machine's process: degraded, unhealthy
    }

    public static void ReplaceServer(WebApplicationBuilder builder)
    {
        // The server, old and new version: wait for the name that the predecessor still has.
        builder.WebHost.UseSharedMemory(options => options.WaitForName = TimeSpan.FromMinutes(1));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
    }

    public static string WaitForTheNextServer()
    {
        // Each client: wait in the moment in which no server listens.
        using var channel = SharedMemoryChannel.ForAddress(
            "shm:orders", new SharedMemoryClientOptions { WaitForServer = TimeSpan.FromSeconds(30) });
        return channel.Target;
    }

    public static string WaitForAServer()
    {
        using var channel = SharedMemoryChannel.ForAddress(
            "shm:orders", new SharedMemoryClientOptions { WaitForServer = TimeSpan.FromSeconds(10) });
        return channel.Target;
    }

    public static async Task<Order> LetACallWaitAsync(Orders.OrdersClient orders)
    {
        var reply = await orders.PlaceAsync(
            new Order(), new CallOptions(deadline: DateTime.UtcNow.AddSeconds(10)).WithWaitForReady());
        return reply;
    }

    /// <summary>In the place of what a user's contract generates.</summary>
    internal static class Orders
    {
        private static readonly Marshaller<Order> Marshaller = Marshallers.Create<Order>(_ => [], _ => new Order());

        private static readonly Method<Order, Order> Place =
            new(MethodType.Unary, "orders.Orders", "Place", Marshaller, Marshaller);

        internal sealed class OrdersClient(CallInvoker invoker) : ClientBase(invoker)
        {
            public AsyncUnaryCall<Order> PlaceAsync(Order request, CallOptions options) =>
                CallInvoker.AsyncUnaryCall(Place, null, options, request);
        }
    }

    /// <summary>In the place of a message of a user's contract.</summary>
    internal sealed class Order;
}
