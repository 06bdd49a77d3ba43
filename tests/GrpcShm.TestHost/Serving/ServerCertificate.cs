using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace GrpcShm.TestHost.Serving;

/// <summary>A certificate for one run. Its clients know its fingerprint.</summary>
internal static class ServerCertificate
{
    public static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }
}
