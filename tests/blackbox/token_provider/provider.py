"""An OpenID provider out of Authlib, a library that others keep: client credentials give access tokens by RFC 9068.

Prints its address once it listens. Arguments: the id of the one client, the audience of its tokens.
"""

import sys
from threading import Thread

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, jsonify
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

CLIENT_ID, AUDIENCE = sys.argv[1], sys.argv[2]
KEY = RSAKey.generate_key(2048, parameters={"kid": "authlib-1", "use": "sig", "alg": "RS256"}, auto_kid=False)
KEYS = KeySet([KEY])


class Client(ClientMixin):
    def get_client_id(self):
        return CLIENT_ID

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return False

    def check_client_secret(self, client_secret):
        return client_secret == "secret"

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_post"

    def check_response_type(self, response_type):
        return False

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


def client_of(client_id):
    return Client() if client_id == CLIENT_ID else None


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]


class TokenGenerator(JWTBearerTokenGenerator):
    def get_jwks(self):
        return KEYS

    def get_audiences(self, client, user, scope):
        return AUDIENCE

    def get_extra_claims(self, client, grant_type, user, scope):
        return {"roles": ["bookings.write"]}


app = Flask(__name__)
server = make_server("127.0.0.1", 0, app, threaded=True)
issuer = f"http://127.0.0.1:{server.server_port}"
oauth = AuthorizationServer(app, query_client=client_of, save_token=lambda token, request: None)
oauth.register_grant(ClientCredentials)
oauth.register_token_generator("default", TokenGenerator(issuer=issuer, alg="RS256"))


@app.get("/.well-known/openid-configuration")
def discovery():
    return jsonify(issuer=issuer, jwks_uri=f"{issuer}/jwks.json", token_endpoint=f"{issuer}/token")


@app.get("/jwks.json")
def jwks():
    return jsonify(KEYS.as_dict(private=False))


@app.post("/token")
def token():
    return oauth.create_token_response()


print(issuer, flush=True)
Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
