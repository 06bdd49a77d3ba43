using GrpcGreeter.Services;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseSharedMemory();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("greeter"));
builder.Services.AddGrpc();

var app = builder.Build();
app.MapGrpcService<GreeterService>();
app.Run();
