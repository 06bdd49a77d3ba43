using Microsoft.AspNetCore.Http;

namespace GrpcShm.Differential.Responses;

internal static class ResponseActor
{
    public const string Header = "x-script";

    public static Task HandleAsync(HttpContext context) => Task.CompletedTask;
}
