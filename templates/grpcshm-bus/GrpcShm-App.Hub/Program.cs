var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseSharedMemory();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("endpoint-of-the-hub"));
builder.Services.AddEventBus();

var app = builder.Build();
app.MapEventBus();
app.Run();
