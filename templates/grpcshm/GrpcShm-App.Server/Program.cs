using GrpcShm_App.Server;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseSharedMemory();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("endpoint-of-the-server"));
builder.Services.AddGrpc();

var app = builder.Build();
app.MapGrpcService<GreeterService>();
app.Run();
