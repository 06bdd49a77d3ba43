using System.Text;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>A service as the generator writes one, for texts.</summary>
[BindServiceMethod(typeof(PlainServiceBase), nameof(Bind))]
internal abstract class PlainServiceBase
{
    public const string Name = "proof.Plain";
    public const string Path = $"/{Name}/Say";

    public static Method<string, string> Method { get; } = CreateMethod("Say");

    public static Method<string, string> OtherMethod { get; } = CreateMethod("SayOtherwise");

    public static void Bind(ServiceBinderBase binder, PlainServiceBase? service)
    {
        binder.AddMethod(Method, service is null ? null! : new UnaryServerMethod<string, string>(service.Say));
        binder.AddMethod(
            OtherMethod, service is null ? null! : new UnaryServerMethod<string, string>(service.SayOtherwise));
    }

    public virtual Task<string> Say(string request, ServerCallContext context) => Task.FromResult(request);

    public virtual Task<string> SayOtherwise(string request, ServerCallContext context) => Task.FromResult(request);

    private static Method<string, string> CreateMethod(string name)
    {
        var marshaller = Marshallers.Create(Encoding.UTF8.GetBytes, Encoding.UTF8.GetString);
        return new(MethodType.Unary, Name, name, marshaller, marshaller);
    }
}
