using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>A method of ASP.NET Core that adds middleware, and what the proof has to say of it.</summary>
/// <param name="Method">The name of the method.</param>
/// <param name="Reason">
/// A part of the reason against native dispatch; nothing if the middleware is indifferent, or unknown.
/// </param>
/// <param name="Use">Calls the method.</param>
/// <param name="Services">Adds the services that it needs.</param>
/// <param name="With">How this differs from other rows of the method.</param>
/// <param name="Unasked">
/// A part of the reason against native dispatch where nobody has asked for it, if there is none else.
/// </param>
/// <param name="IsUnknown">True if the code of the application's own runs, of which nobody knows what it does.</param>
internal sealed record StockMiddleware(
    string Method,
    string? Reason,
    Action<WebApplication> Use,
    Action<IServiceCollection>? Services = null,
    string? With = null,
    string? Unasked = null,
    bool IsUnknown = false)
{
    public string Name => With is null ? Method : $"{Method} with {With}";
}
