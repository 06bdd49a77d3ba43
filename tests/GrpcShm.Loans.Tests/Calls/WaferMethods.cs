using Grpc.Core;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>The methods of <see cref="Wafers"/>, with loans as their messages.</summary>
public static class WaferMethods
{
    public static readonly LoanPool Pool = new(new LoanPoolOptions { MaxLoanedBytes = 64 * 1024 * 1024 });

    private static readonly Marshaller<Loaned<WaferMap>> Maps =
        Loaned.CreateMarshaller(WaferMap.Parser, WaferMap.PixelsFieldNumber, Pool);

    public static readonly Method<Loaned<WaferMap>, Loaned<WaferMap>> Sharpen = Loaned.CreateMethod(
        Wafers.Descriptor, nameof(Wafers.WafersClient.Sharpen), Maps, Maps);

    public static readonly Method<Loaned<WaferMap>, Stored> Store = Loaned.CreateMethod(
        Wafers.Descriptor, nameof(Wafers.WafersClient.Store), Maps, Loaned.CreatePlainMarshaller(Stored.Parser));

    public static readonly Method<LoadRequest, Loaned<WaferMap>> Load = Loaned.CreateMethod(
        Wafers.Descriptor, nameof(Wafers.WafersClient.Load), Loaned.CreatePlainMarshaller(LoadRequest.Parser), Maps);

    public static readonly Method<Loaned<WaferMap>, Loaned<WaferMap>> Convert = Loaned.CreateMethod(
        Wafers.Descriptor, nameof(Wafers.WafersClient.Convert), Maps, Maps);
}
