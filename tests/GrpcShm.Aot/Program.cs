// Shows that a gRPC server and client over shared memory work when they are compiled ahead of time. Without arguments
// this program is the client, and starts itself a second time as the server.
using System.Diagnostics;
using System.Runtime.CompilerServices;
using GrpcShm.Aot;
using GrpcShm.Client;

if (args is ["server", var served])
{
    var builder = WebApplication.CreateSlimBuilder();
    builder.Logging.ClearProviders();
    builder.WebHost.UseSharedMemory();
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(served));
    builder.Services.AddGrpc();
    await using var app = builder.Build();
    app.MapGrpcService<AdderService>();
    await app.StartAsync();

    // When the client ends, for any reason, this pipe ends.
    await Console.In.ReadToEndAsync();
    return 0;
}

var endPoint = $"aot-{Environment.ProcessId}";
using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["server", endPoint])
{
    RedirectStandardInput = true,
}) ?? throw new InvalidOperationException("The server process did not start.");
try
{
    var options = new SharedMemoryClientOptions { WaitForServer = TimeSpan.FromSeconds(30) };
    using var channel = SharedMemoryChannel.CreateGrpcChannel(endPoint, options);
    var client = new Adder.AdderClient(channel);
    var deadline = DateTime.UtcNow.AddSeconds(60);
    var sum = await client.AddAsync(new Numbers { Values = { 1, 2, 3 } }, deadline: deadline);
    using var call = client.Accumulate(deadline: deadline);
    var last = 0L;
    for (var i = 1; i <= 1000; i++)
    {
        await call.RequestStream.WriteAsync(new Numbers { Values = { i } });
        await call.ResponseStream.MoveNext(CancellationToken.None);
        last = call.ResponseStream.Current.Value;
    }

    await call.RequestStream.CompleteAsync();
    var isRight = sum.Value == 6 && last == 500_500 && !await call.ResponseStream.MoveNext(CancellationToken.None);
    Console.WriteLine(
        $"dynamic code: {RuntimeFeature.IsDynamicCodeSupported}; unary {sum.Value}, streamed {last}: "
        + (isRight ? "right" : "WRONG"));
    return isRight && !RuntimeFeature.IsDynamicCodeSupported ? 0 : 1;
}
finally
{
    server.StandardInput.Close();
    if (!server.WaitForExit(TimeSpan.FromSeconds(10)))
    {
        server.Kill();
    }
}
