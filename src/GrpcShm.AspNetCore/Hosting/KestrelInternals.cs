using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// What this library has to know of Kestrel, and Kestrel shows to nobody. A later version may keep it elsewhere: then
/// each of these says that it does not know, and the server starts all the same, with HTTP/2 alone if need be. Tests of
/// ours fail at once.
/// </summary>
internal sealed class KestrelInternals
{
    /// <summary>Whether anything can be known. For tests, which take Kestrel for a later version.</summary>
    public bool AreReadable { get; init; } = true;

    /// <summary>Whether an endpoint has TLS; nothing if that cannot be known.</summary>
    public bool? HasTls(ListenOptions options)
    {
        try
        {
            return AreReadable ? IsTls(options) : null;
        }
        catch (MissingMethodException)
        {
            return null;
        }
    }

    /// <summary>The endpoints that the application listens on in code; nothing if they cannot be known.</summary>
    public List<ListenOptions>? ListenedInCode(KestrelServerOptions options)
    {
        try
        {
            return AreReadable ? CodeBackedListenOptions(options) : null;
        }
        catch (MissingMethodException)
        {
            return null;
        }
    }

    /// <summary>Shows the application that Kestrel serves to whoever wants to serve it, too.</summary>
    /// <param name="http">Kestrel's HTTP, which an endpoint's connections end in.</param>
    /// <param name="owner">Has a method of the name <paramref name="serve"/> with one type parameter.</param>
    /// <param name="serve">The method, which takes the application. What it returns, if anything, takes the
    /// application's place.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "Where the field is trimmed, the application is not known.")]
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The type parameter has no requirements.")]
    public void ShowApplication<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] TOwner>(
        ConnectionDelegate http, TOwner owner, string serve)
    {
        if (!AreReadable || !RuntimeFeature.IsDynamicCodeSupported || http.Target is not { } middleware)
        {
            return;
        }

        // By its type, whatever its name may be.
        foreach (var field in middleware.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic))
        {
            if (field.FieldType is { IsGenericType: true } type
                && type.GetGenericTypeDefinition() == typeof(IHttpApplication<>)
                && field.GetValue(middleware) is { } application)
            {
                if (typeof(TOwner).GetMethod(serve)!.MakeGenericMethod(type.GetGenericArguments()).Invoke(owner, [application]) is { } other)
                {
                    field.SetValue(middleware, other);
                }

                return;
            }
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IsTls")]
    private static extern bool IsTls(ListenOptions options);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_CodeBackedListenOptions")]
    private static extern List<ListenOptions> CodeBackedListenOptions(KestrelServerOptions options);
}
