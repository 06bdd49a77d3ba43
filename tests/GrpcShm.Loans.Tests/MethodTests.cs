using Grpc.Core;

namespace GrpcShm.Loans.Tests;

/// <summary>Methods that are made of a generated service.</summary>
public sealed class MethodTests
{
    private static readonly Marshaller<Loaned<WaferMap>> Maps =
        Loaned.CreateMarshaller(WaferMap.Parser, WaferMap.PixelsFieldNumber);

    private static readonly Marshaller<Stored> Answers = Loaned.CreatePlainMarshaller(Stored.Parser);
    private static readonly Marshaller<LoadRequest> Questions = Loaned.CreatePlainMarshaller(LoadRequest.Parser);

    [Fact]
    public void CreateMethod_OfEachKind_IsThatOfTheService()
    {
        Compare("Sharpen", MethodType.Unary, Maps, Maps);
        Compare("Store", MethodType.ClientStreaming, Maps, Answers);
        Compare("Load", MethodType.ServerStreaming, Questions, Maps);
        Compare("Convert", MethodType.DuplexStreaming, Maps, Maps);
    }

    [Fact]
    public void CreateMethod_WrongName_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Loaned.CreateMethod(Wafers.Descriptor, "Blur", Maps, Maps));

    [Fact]
    public void CreateMethod_WrongMessages_IsRefused()
    {
        var requests = Assert.Throws<ArgumentException>(
            () => Loaned.CreateMethod(Wafers.Descriptor, "Sharpen", Questions, Maps));
        var responses = Assert.Throws<ArgumentException>(
            () => Loaned.CreateMethod(Wafers.Descriptor, "Store", Maps, Maps));

        Assert.Equal(("requests", "responses"), (requests.ParamName, responses.ParamName));
    }

    private static void Compare<TRequest, TResponse>(
        string name, MethodType type, Marshaller<TRequest> requests, Marshaller<TResponse> responses)
        where TRequest : class
        where TResponse : class
    {
        var method = Loaned.CreateMethod(Wafers.Descriptor, name, requests, responses);

        Assert.Equal(
            (type, "grpcshm.loans.tests.Wafers", $"/grpcshm.loans.tests.Wafers/{name}"),
            (method.Type, method.ServiceName, method.FullName));
    }
}
