using GrpcGreeter.Services;
using Microsoft.AspNetCore.Authorization;

var builder = WebApplication.CreateBuilder(args);
var users = builder.Configuration.GetSection("Users").Get<string[]>() ?? [];
var greeters = builder.Configuration.GetSection("Greeters").Get<string[]>() ?? [];

// Who may connect.
builder.WebHost.UseSharedMemory(options =>
    options.AuthorizePeer = peer => peer.User.IsSameUser || users.Contains(peer.User.Id));

// Who may call a method: the policy "greeters" where a method names it. Everything else is for all known users.
builder.Services.AddAuthentication().AddSharedMemoryPeer();
builder.Services.AddAuthorizationBuilder()
    .AddPolicy("greeters", policy => policy.RequireSharedMemoryUser(greeters))
    .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
builder.Services.AddGrpc();

var app = builder.Build();
app.MapGrpcService<GreeterService>();
app.Run();
